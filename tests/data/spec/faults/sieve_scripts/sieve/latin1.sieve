keep;
# café
