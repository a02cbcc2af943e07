package dev.sund.agent.policy;

import dev.sund.agent.apply.ApplyLoop;
import dev.sund.agent.log.Log;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.kube.api.ApiObjects;
import dev.sund.kube.api.ApiPath;
import dev.sund.kube.api.ApiRefusal;
import dev.sund.kube.enforced.Enforcement;
import dev.sund.kube.enforced.Enforcement.Wanted;
import dev.sund.kube.enforced.NodePolicies.Generation;
import dev.sund.kube.enforced.PolicyStatement;
import dev.sund.kube.lease.ClusterLease;
import dev.sund.kube.object.Kinds;
import dev.sund.kube.tree.Tree;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeoutException;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Writes into the status of the cluster's own policies whether they hold: one agent of all, who
 * holds the Lease {@code sund-policy-status}, for the whole cluster. What it writes is computed
 * from what the nodes publish, as {@code sund policy status} does.
 *
 * <p>It writes only what is new: a policy that changes costs one write, mostly, since nodes have a
 * few seconds to follow before it is said that they do not. What it writes gives the policy a new
 * version, which nobody takes for a new policy: versions of such kinds are not what counts.
 *
 * <p>In a cluster without such policies it does nothing, makes nothing and asks for nothing. For
 * one thread.
 */
public final class PolicyConditions {
  /** The Lease, which deploy/lease.yaml brings. */
  public static final String LEASE = "sund-policy-status";

  private static final ApiPath PATH =
      ApiPath.of(
          Kinds.CLUSTER_NETWORK_POLICY.apiVersions().getFirst(),
          Kinds.CLUSTER_NETWORK_POLICY.plural());

  /** After a change nodes are looked at soon and then less and less often. */
  private static final Duration SOON = Duration.ofSeconds(2);

  /** Nodes that fall silent are found by then. */
  private static final Duration SELDOM = Duration.ofSeconds(20);

  /** For how long it is not said that nodes are behind. */
  private static final Duration GRACE = Duration.ofSeconds(5);

  private static final Duration AFTER_TROUBLE = Duration.ofSeconds(30);

  /** How long at most is written before this node's own report has its turn. */
  private static final Duration TURN = Duration.ofSeconds(5);

  private final Cluster cluster;
  private final Means means;
  private @Nullable Writing writing;

  /** What this node knows of the cluster. */
  public interface Cluster {
    /** The cluster's own policies, by name; none before this node is ready. */
    Map<String, Generation> policies();

    /**
     * The names of the nodes.
     *
     * @throws TimeoutException when they cannot be told now
     */
    Collection<String> nodes() throws InterruptedException, TimeoutException;
  }

  /**
   * What it works with.
   *
   * @param objects not closed with this
   * @param clock tells the time to people
   * @param nanos by which time passes
   * @param written told how many statuses were written at once
   */
  public record Means(
      NodeName node,
      ApiObjects objects,
      ClusterLease.Rules rules,
      InstantSource clock,
      LongSupplier nanos,
      RandomGenerator random,
      LongConsumer written,
      Log log) {}

  /** As it is on a node. */
  public static PolicyConditions of(
      NodeName node, ApiObjects objects, ApplyLoop loop, LongConsumer written, Log log) {
    return new PolicyConditions(
        new AskedCluster(loop),
        new Means(
            node,
            objects,
            ClusterLease.Rules.DEFAULT,
            InstantSource.system(),
            System::nanoTime,
            new Random(),
            written,
            log));
  }

  /** Prepares. */
  public PolicyConditions(Cluster cluster, Means means) {
    this.cluster = cluster;
    this.means = means;
  }

  /** Does what is due; mostly nothing. To be called once a second. */
  public void look() {
    Map<String, Generation> policies = cluster.policies();
    if (policies.isEmpty()) {
      return;
    }
    Writing now = writing;
    if (now == null) {
      now = new Writing();
      writing = now;
    }
    now.look(policies);
  }

  private final class Writing {
    private final ClusterLease lease =
        new ClusterLease(
            means.objects,
            LEASE,
            means.node.text(),
            means.rules,
            means.clock,
            means.nanos,
            means.random);

    private Map<String, Generation> policies = Map.of();

    /** Since when each policy has been as it is. */
    private final Map<String, Since> since = new HashMap<>();

    private Duration pause = SOON;
    private long due = means.nanos.getAsLong();
    private boolean held;
    private String said = "";

    private record Since(Generation generation, long nanos) {}

    void look(Map<String, Generation> now) {
      long nanos = means.nanos.getAsLong();
      if (!now.equals(policies)) {
        policies = now;
        since.keySet().retainAll(now.keySet());
        now.forEach((name, generation) ->
            since.compute(
                name,
                (_, before) ->
                    before != null && before.generation.equals(generation)
                        ? before
                        : new Since(generation, nanos)));
        pause = SOON;
        if (due - nanos > SOON.toNanos()) {
          due = nanos + SOON.toNanos();
        }
      }
      try {
        boolean before = held;
        held = lease.isHeld();
        if (held && !before) {
          means.log.info("this node writes the status of the cluster's policies", "lease", LEASE);
          pause = SOON;
        }
        if (held && nanos - due >= 0) {
          boolean settled = write(nanos);
          pause = settled ? SELDOM : shorter(pause.multipliedBy(2), SELDOM);
          due = nanos + pause.toNanos();
          said = "";
          means.objects.rest();
        }
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      } catch (TimeoutException _) {
        due = nanos + SOON.toNanos(); // the engine is busy
      } catch (IOException e) {
        trouble(nanos, String.valueOf(e.getMessage()));
      } catch (RuntimeException e) {
        trouble(nanos, "internal error: " + e); // the node's own report must go on
      }
    }

    private void trouble(long nanos, String why) {
      due = nanos + AFTER_TROUBLE.toNanos();
      if (!why.equals(said)) {
        said = why;
        means.log.warn(
            "the status of the cluster's policies cannot be written from here",
            "why",
            why,
            "remedy",
            "apply deploy/lease.yaml and deploy/rbac.yaml");
      }
    }

    private static Duration shorter(Duration one, Duration other) {
      return one.compareTo(other) < 0 ? one : other;
    }

    /** Writes what is not said yet; whether all of it is, and nothing is waited for. */
    private boolean write(long began) throws IOException, InterruptedException, TimeoutException {
      // Nodes first: what they say of policies that are read after them may only be too little.
      Enforcement all = Enforcement.read(means.objects, cluster.nodes(), means.clock.instant());
      List<Tree.Mapping> objects = means.objects.list(PATH.all());
      boolean settled = true;
      long written = 0;
      for (Tree.Mapping object : objects) {
        Optional<PolicyStatement> statement = statement(object, all);
        if (statement.isEmpty() || statement.get().isSaid(object)) {
          settled &= statement.isEmpty() || !statement.get().mayPass();
          continue;
        }
        long now = means.nanos.getAsLong();
        if (now - began > TURN.toNanos() || !lease.isHeld()) {
          settled = false;
          break;
        }
        settled &= !statement.get().mayPass();
        if (statement.get().mayPass() && isYoung(object, now)) {
          continue;
        }
        if (isWritten(object, statement.get())) {
          written++;
        } else {
          settled = false;
        }
      }
      means.written.accept(written);
      return settled;
    }

    private Optional<PolicyStatement> statement(Tree.Mapping object, Enforcement all) {
      Optional<ObjectRef> ref = Kinds.CLUSTER_NETWORK_POLICY.ref(object);
      if (ref.isEmpty()
          || !(Kinds.CLUSTER_NETWORK_POLICY.parse(ref.get(), object).value().orElse(null)
              instanceof ClusterEvent.PolicySeen(var policy, var conditions))) {
        return Optional.empty();
      }
      long version = Kinds.version(object).orElse(Long.MAX_VALUE);
      return Optional.of(PolicyStatement.of(Wanted.of(policy, version), conditions, all));
    }

    /** Whether it changed so lately that nodes may well have it and not have said so. */
    private boolean isYoung(Tree.Mapping object, long now) {
      String name =
          object.mapping("metadata").flatMap(metadata -> metadata.text("name")).orElse("");
      Since known = since.get(name);
      return known == null || now - known.nanos < GRACE.toNanos();
    }

    private boolean isWritten(Tree.Mapping object, PolicyStatement statement) throws IOException {
      String name =
          object.mapping("metadata").flatMap(metadata -> metadata.text("name")).orElse("");
      try {
        means.objects.patch(
            PATH.statusOf(name),
            ApiObjects.Patch.MERGE,
            statement.patch(object, means.clock.instant()));
        return true;
      } catch (ApiRefusal e) {
        if (e.isConflict() || e.isNotFound()) {
          return false; // it has changed or gone meanwhile: it is read again
        }
        throw e;
      }
    }
  }
}
