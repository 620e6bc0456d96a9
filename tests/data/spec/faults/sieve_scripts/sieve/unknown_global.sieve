require "include";
include :global :optional "nothing";
include "mine";
if true { include :global "onec"; }
