package dev.sund.engine.policy.reach;

/** Who can be at an end of a connection, as far as policies tell. */
public sealed interface Party permits PodGroup, Outside {}
