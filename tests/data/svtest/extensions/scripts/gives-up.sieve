require "ihave";
if not ihave "vnd.nobody.extension" { error "nothing for me"; }
discard;
