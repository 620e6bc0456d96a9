if size :over 50M {
    discard;
}
