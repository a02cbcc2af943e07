package dev.sund.agent;

import dev.sund.agent.apply.ApplyState;
import dev.sund.agent.apply.CalledThread;
import dev.sund.agent.log.Log;
import dev.sund.engine.cluster.Policy;
import dev.sund.kube.api.ApiObjects;
import dev.sund.kube.api.ApiPath;
import dev.sund.kube.api.ApiRefusal;
import dev.sund.kube.tree.Tree;
import dev.sund.model.Condition;
import dev.sund.model.NodeName;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Supplier;

/**
 * Publishes how far this node enforces the cluster's policies: one object of the kind {@code
 * NodePolicies} with the node's name, written when it changes and at most once a second, whatever
 * number of policies there is, and every 20 seconds with the time, so that it shows when nobody
 * enforces anything there. A node whose object is behind the API, old or not there is stale.
 *
 * <p>Nothing depends on it: where the kind is not defined or the agent may not write it, policies
 * are enforced all the same, and that is said once.
 */
final class PolicyReport implements AutoCloseable {
  static final String API_VERSION = "sund.dev/v1alpha1";
  static final String KIND = "NodePolicies";
  static final ApiPath PATH = ApiPath.of(API_VERSION, "nodepolicies");

  private static final Duration PACE = Duration.ofSeconds(1);
  private static final Duration RENEWAL = Duration.ofSeconds(20);
  private static final Duration AFTER_TROUBLE = Duration.ofSeconds(30);

  private final NodeName node;
  private final ApiObjects objects;
  private final Supplier<State> state;
  private final InstantSource clock;
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
   * @param exceptions what is wrong with policies
   */
  record State(Map<String, Long> versions, List<Condition> exceptions) {
    State {
      versions = Map.copyOf(versions);
      exceptions = List.copyOf(exceptions);
    }

    /** Of all that is wrong, what is wrong with policies; nothing while none is enforced. */
    static State of(Map<String, Long> versions, ApplyState state) {
      TreeSet<Condition> exceptions = new TreeSet<>();
      if (!versions.isEmpty()) {
        keep(state.engineConditions(), exceptions);
        keep(state.kernelConditions(), exceptions);
      }
      return new State(versions, List.copyOf(exceptions));
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
   */
  PolicyReport(
      NodeName node, ApiObjects objects, Supplier<State> state, InstantSource clock, Log log) {
    this.node = node;
    this.objects = objects;
    this.state = state;
    this.clock = clock;
    this.log = log;
  }

  void start() {
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
    thread.call();
    return pause.minus(PACE);
  }

  /** Publishes what is new; how long to wait before the next look. */
  Duration look() {
    State now = state.get();
    Instant at = clock.instant();
    if (now.versions().isEmpty()
        || (published.equals(Optional.of(now))
            && at.isBefore(publishedAt.plus(RENEWAL))
            && !at.isBefore(publishedAt))) {
      return PACE;
    }
    try {
      Tree.Mapping object = object(now, at);
      try {
        objects.patch(PATH.named(node.text()), ApiObjects.Patch.MERGE, object);
      } catch (ApiRefusal e) {
        if (!e.isNotFound()) {
          throw e;
        }
        objects.create(PATH.all(), object);
      }
      published = Optional.of(now);
      publishedAt = at;
      said = "";
      objects.rest();
      return PACE;
    } catch (IOException e) {
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

  private Tree.Mapping object(State now, Instant at) {
    Map<String, Tree> enforced = new LinkedHashMap<>();
    now.versions()
        .forEach((kind, version) -> enforced.put(kind, Tree.Scalar.text(String.valueOf(version))));
    List<Tree> exceptions = new ArrayList<>();
    for (Condition one : now.exceptions()) {
      Map<String, Tree> fields = new LinkedHashMap<>();
      fields.put("kind", Tree.Scalar.text(one.object().kind()));
      fields.put("name", Tree.Scalar.text(one.object().name()));
      fields.put("reason", Tree.Scalar.text(one.reason().code()));
      fields.put("field", Tree.Scalar.text(one.field()));
      fields.put("text", Tree.Scalar.text(one.text()));
      fields.put("remedy", Tree.Scalar.text(one.remedy()));
      exceptions.add(Tree.Mapping.of(fields));
    }
    Map<String, Tree> object = new LinkedHashMap<>();
    object.put("apiVersion", Tree.Scalar.text(API_VERSION));
    object.put("kind", Tree.Scalar.text(KIND));
    object.put("metadata", Tree.Mapping.of(Map.of("name", Tree.Scalar.text(node.text()))));
    object.put("seen", Tree.Scalar.text(at.truncatedTo(ChronoUnit.SECONDS).toString()));
    object.put("enforced", Tree.Mapping.of(enforced));
    object.put("exceptions", Tree.Sequence.of(exceptions));
    return Tree.Mapping.of(object);
  }
}
