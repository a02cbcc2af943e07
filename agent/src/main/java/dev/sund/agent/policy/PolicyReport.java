package dev.sund.agent.policy;

import dev.sund.agent.apply.ApplyState;
import dev.sund.agent.apply.CalledThread;
import dev.sund.agent.log.Log;
import dev.sund.engine.cluster.Policy;
import dev.sund.kube.api.ApiObjects;
import dev.sund.kube.api.ApiRefusal;
import dev.sund.kube.enforced.NodePolicies;
import dev.sund.kube.enforced.NodePolicies.Generation;
import dev.sund.kube.enforced.PolicyRemark;
import dev.sund.model.Condition;
import dev.sund.model.NodeName;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Supplier;

/**
 * Publishes how far this node enforces the cluster's policies: one object of the kind {@code
 * NodePolicies} with the node's name, written when it changes and at most once a second, whatever
 * number of policies there is, and every 20 seconds with the time, so that it shows when nobody
 * enforces anything there. A node whose object is behind the API, old or not there is stale.
 *
 * <p>A later version of the cluster's own policies is no reason to write: mostly it means that
 * somebody wrote their status. It is told with the next renewal.
 *
 * <p>Nothing depends on it: where the kind is not defined or the agent may not write it, policies
 * are enforced all the same, and that is said once.
 */
public final class PolicyReport implements AutoCloseable {
  private static final Duration PACE = Duration.ofSeconds(1);
  private static final Duration RENEWAL = Duration.ofSeconds(20);
  private static final Duration AFTER_TROUBLE = Duration.ofSeconds(30);

  private final NodeName node;
  private final ApiObjects objects;
  private final Supplier<State> state;
  private final InstantSource clock;
  private final Runnable thereupon;
  private final Log log;
  private final CalledThread thread = new CalledThread("policy-report", PACE, this::lookAgain);
  private volatile boolean closing;
  private Optional<State> published = Optional.empty();
  private Instant publishedAt = Instant.EPOCH;
  private String said = "";

  /**
   * What is published.
   *
   * @param versions by kind, up to which version policies are enforced
   * @param generations the cluster's own policies that are enforced, by name
   * @param exceptions what is wrong with policies
   */
  public record State(
      Map<String, Long> versions, Map<String, Generation> generations, List<Condition> exceptions) {
    public State {
      versions = Map.copyOf(versions);
      generations = Map.copyOf(generations);
      exceptions = List.copyOf(exceptions);
    }

    /** Of all that is wrong, what is wrong with policies; nothing while none is enforced. */
    public static State of(
        Map<String, Long> versions, Map<String, Generation> generations, ApplyState state) {
      TreeSet<Condition> exceptions = new TreeSet<>();
      if (!versions.isEmpty()) {
        keep(state.engineConditions(), exceptions);
        keep(state.kernelConditions(), exceptions);
      }
      return new State(versions, generations, List.copyOf(exceptions));
    }

    /** Whether there is no reason to publish this after that. */
    private boolean isAsGoodAs(State before) {
      return Objects.equals(
              versions.get(Policy.NETWORK_POLICY), before.versions.get(Policy.NETWORK_POLICY))
          && versions.keySet().equals(before.versions.keySet())
          && saysTheSame(before);
    }

    /** Whether all but the versions is the same. */
    private boolean saysTheSame(State before) {
      return generations.equals(before.generations) && exceptions.equals(before.exceptions);
    }

    private static void keep(List<Condition> all, TreeSet<Condition> exceptions) {
      for (Condition one : all) {
        String kind = one.object().kind();
        if (kind.equals(Policy.NETWORK_POLICY) || kind.equals(Policy.CLUSTER_NETWORK_POLICY)) {
          exceptions.add(one);
        }
      }
    }
  }

  /**
   * Prepares; {@link #start} begins.
   *
   * @param objects closed with this
   * @param state how things stand; asked once a second
   * @param clock tells when that was
   * @param thereupon done after each look, by the same thread
   */
  public PolicyReport(
      NodeName node,
      ApiObjects objects,
      Supplier<State> state,
      InstantSource clock,
      Runnable thereupon,
      Log log) {
    this.node = node;
    this.objects = objects;
    this.state = state;
    this.clock = clock;
    this.thereupon = thereupon;
    this.log = log;
  }

  /** Looks once a second from now on. */
  public void start() {
    thread.call();
    thread.start();
  }

  @Override
  public void close() throws InterruptedException {
    closing = true;
    objects.close();
    thread.close();
  }

  /**
   * Looks, a pace after it was called: what begins with the agent must not take its start's time.
   */
  private Duration lookAgain() {
    Duration pause = look();
    if (!closing) {
      thereupon.run();
    }
    thread.call();
    return pause.minus(PACE);
  }

  /** Publishes what is new; how long to wait before the next look. */
  public Duration look() {
    State now = state.get();
    Instant at = clock.instant();
    if (now.versions().isEmpty()
        || (published.filter(now::isAsGoodAs).isPresent()
            && at.isBefore(publishedAt.plus(RENEWAL))
            && !at.isBefore(publishedAt))) {
      return PACE;
    }
    try {
      NodePolicies object =
          new NodePolicies(
              node.text(),
              Optional.of(at),
              now.versions(),
              now.generations(),
              now.exceptions().stream().map(PolicyRemark::of).toList());
      boolean renewal = published.filter(now::saysTheSame).isPresent();
      try {
        objects.patch(
            NodePolicies.PATH.named(node.text()),
            ApiObjects.Patch.MERGE,
            renewal ? object.renewal() : object.tree());
      } catch (ApiRefusal e) {
        if (!e.isNotFound()) {
          throw e;
        }
        objects.create(NodePolicies.PATH.all(), object.tree());
      }
      published = Optional.of(now);
      publishedAt = at;
      said = "";
      objects.rest();
      return PACE;
    } catch (IOException e) {
      published = Optional.empty(); // it may have been written, or not
      String why = String.valueOf(e.getMessage());
      if (!closing && !why.equals(said)) {
        log.warn(
            "how far policies are enforced cannot be published",
            "why",
            why,
            "remedy",
            "apply deploy/crds/nodepolicies.yaml and deploy/rbac.yaml");
        said = why;
      }
      return AFTER_TROUBLE;
    }
  }
}
