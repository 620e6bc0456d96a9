require "include";
discard;
include "circle";
