require "fileinto";
fileinto "New";
