package study

// Caches are the steps whose results are kept only to save time: `sd store gc` removes them.
var Caches = []string{"activations"}
