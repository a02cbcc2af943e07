package dev.sund.agent.local;

import java.util.Map;

/**
 * What the local socket needs of the agent. Called from many threads at once; each call may wait,
 * but not for ever.
 */
public interface LocalCalls {
  /** Serves a container runtime's request; errors are answers too. */
  Answer cni(Map<String, Object> request) throws InterruptedException;

  /** The node's one status object. */
  Map<String, Object> status();

  /** Serves {@code sund ipam}; errors are answers too. */
  Answer ipam(Map<String, Object> request) throws InterruptedException;

  /** Serves {@code sund service}; errors are answers too. */
  Answer service(Map<String, Object> request) throws InterruptedException;

  /** Serves {@code sund trace}; errors are answers too. */
  Answer trace(Map<String, Object> request) throws InterruptedException;

  /** Serves {@code sund drops}; errors are answers too. */
  default Answer drops(Map<String, Object> request) throws InterruptedException {
    return Answer.error("1.0.0", 4, "Nothing is known of drops here.", "Ask a node's agent.");
  }

  /** Serves {@code sund policy record}; errors are answers too. */
  Answer record(Map<String, Object> request) throws InterruptedException;

  /**
   * Sets the log's level.
   *
   * @param part a part of the agent; empty for all
   * @param level such as {@code debug}
   * @return false when there is no such level
   */
  boolean logLevel(String part, String level);
}
