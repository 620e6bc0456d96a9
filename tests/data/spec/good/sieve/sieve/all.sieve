# café
require ["include"];
include :global "café";
