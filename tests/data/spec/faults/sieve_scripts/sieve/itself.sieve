require "include";
include :global "itself";
