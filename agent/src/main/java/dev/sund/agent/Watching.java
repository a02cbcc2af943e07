package dev.sund.agent;

import dev.sund.agent.checks.CheckOptions;
import dev.sund.agent.peers.PeerOptions;

/**
 * What an agent looks at beside its own work.
 *
 * @param checks the doctor's checks of this node
 * @param peers the ways to other nodes
 */
public record Watching(CheckOptions checks, PeerOptions peers) {
  /** As usual. */
  public static final Watching DEFAULT = new Watching(CheckOptions.DEFAULT, PeerOptions.DEFAULT);

  /** Nothing: no thread, no port. */
  public static final Watching OFF = new Watching(CheckOptions.OFF, PeerOptions.OFF);
}
