require "reject";
reject "Send invoices by post.";
