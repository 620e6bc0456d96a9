require "encoded-character";
if header "a" "${unicode:D800}" { keep; }
if header "a" "${unicode:110000}" { keep; }
