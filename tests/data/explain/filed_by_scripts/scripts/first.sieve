require "imap4flags";
if header :contains "List-Id" "shop" { addflag "lists"; }
