require "editheader";
addheader "X:Y" "a";
deleteheader :last "X-Number";
