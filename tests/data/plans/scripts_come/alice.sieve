require "include";
include :global "shared";
