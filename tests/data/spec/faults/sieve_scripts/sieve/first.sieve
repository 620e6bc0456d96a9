require "include";
include :global "second";
