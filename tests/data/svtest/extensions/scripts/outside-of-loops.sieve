require ["foreverypart", "extracttext", "variables"];
break;
extracttext "text";
