require "fileinto";
# one
# two
fileinto "New";
# three
# four
# a tab	here
