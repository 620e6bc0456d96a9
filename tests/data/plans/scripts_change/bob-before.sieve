require "fileinto";
# one
# two
fileinto "Old";
# three
# four
