require "variables";
set "1" "a";
set "a-b" "a";
set "" "a";
set "other.name" "a";
set "${name}" "a";
