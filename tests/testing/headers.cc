// The precompiled header of the tests wants a target of its own, and a target wants a source.
