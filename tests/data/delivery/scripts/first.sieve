require ["fileinto", "include"];
include :global "quarantine";
