require "fileinto";
if header :is "X-Virus" "yes" { fileinto "Junk"; stop; }
