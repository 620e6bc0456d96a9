require ["include", "variables"];
global "found";
set "found" "before";
if true { return; }
set "found" "after";
