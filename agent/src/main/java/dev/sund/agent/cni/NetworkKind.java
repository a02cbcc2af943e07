package dev.sund.agent.cni;

import java.util.Set;

/**
 * A kind of network that a plugin's name stands for: the pods' own routed network, a bridge, port
 * mappings chained behind either. What all kinds have in common has been checked before a kind is
 * called: the environment, versions, names, that the namespace of an ADD is there and is not the
 * node's.
 *
 * <p>Many threads call at once; calls about one {@link CniRequest#key} come one after the other
 * from a runtime that keeps to the specification (C10), and a kind must not be harmed by one that
 * does not.
 */
public interface NetworkKind {
  /** The plugin names that it answers to. */
  Set<String> types();

  /**
   * ADD. When it throws, nothing of what it began stays (C3).
   *
   * @return what was made; a chained kind returns {@link NetworkConfig#previous}, changed or not
   *     (C1)
   */
  CniResult add(CniRequest request) throws CniException, InterruptedException;

  /** DEL. What is not there is no error; unknown keys and a missing namespace are none (C2). */
  void delete(CniRequest request) throws CniException, InterruptedException;

  /**
   * CHECK; {@link NetworkConfig#previous} is present (C4).
   *
   * @throws CniException naming what is missing or differs
   */
  void check(CniRequest request) throws CniException, InterruptedException;

  /**
   * GC: removes what this kind made for the network {@link NetworkConfig#name} and what belongs to
   * none of {@code valid} (C5). Goes on after an error, and reports it at the end.
   *
   * @param valid the living attachments, by {@link CniRequest#key}
   */
  void collect(CniRequest request, Set<String> valid) throws CniException, InterruptedException;

  /**
   * STATUS: whether an ADD with this configuration could be served (C6).
   *
   * @throws CniException with {@link CniException.Code#NOT_AVAILABLE}, when it could not
   */
  void status(CniRequest request) throws CniException, InterruptedException;
}
