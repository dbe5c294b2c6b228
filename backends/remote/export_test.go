package remote

// PrimariesOf is how an answer to CLUSTER SLOTS is read.
var PrimariesOf = primariesOf
