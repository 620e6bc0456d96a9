require ["include", "variables"];
set "own" "theirs";
set "global.shared" "from within";
