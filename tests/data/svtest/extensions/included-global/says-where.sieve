require ["include", "variables"];
global "found";
set "found" "global";
