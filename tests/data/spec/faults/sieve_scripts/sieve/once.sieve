require "include";
include :once :global "once";
