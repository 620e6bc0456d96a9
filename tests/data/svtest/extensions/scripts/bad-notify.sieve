require "enotify";
notify "snail:somebody";
notify :importance "4" "mailto:a@example.com";
notify;
notify :from "nobody" "mailto:a@example.com";
notify :options "=b" "mailto:a@example.com";
notify "mailto:nobody";
