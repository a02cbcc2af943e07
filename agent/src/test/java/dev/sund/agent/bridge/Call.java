package dev.sund.agent.bridge;

/** A runtime's call of a plugin. */
record Call(
    String plugin,
    String command,
    String containerId,
    String interfaceName,
    String netns,
    String args,
    String config) {}
