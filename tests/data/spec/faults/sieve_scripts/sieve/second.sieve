require "include";
keep; include :global "first";
