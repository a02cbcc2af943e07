package dev.sund.agent;

import dev.sund.agent.log.Log;
import dev.sund.kube.api.ApiObjects;
import dev.sund.kube.api.ApiPath;
import dev.sund.kube.api.ApiRefusal;
import dev.sund.kube.tree.Tree;
import dev.sund.model.NodeName;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Says on the node's object that its network is there: the condition {@code NetworkUnavailable} is
 * {@code False} from the moment when the agent is first ready, and looked at again now and then,
 * since a cloud's controller sets it when the node comes. Only a condition that says otherwise is
 * written over.
 *
 * <p>It stays {@code False} when the agent ends: the kernel goes on forwarding. One platform
 * thread, {@code sund-node-condition}, since its connections may have to be made in another
 * namespace.
 */
final class NodeCondition implements AutoCloseable {
  static final String TYPE = "NetworkUnavailable";

  /** How often it is looked whether the agent is ready by now. */
  private static final Duration READY_STEP = Duration.ofMillis(100);

  private final NodeName node;
  private final ApiObjects objects;
  private final BooleanSupplier ready;
  private final InstantSource clock;
  private final Pace pace;
  private final Log log;
  private final CountDownLatch ending = new CountDownLatch(1);
  private final Thread thread =
      Thread.ofPlatform().daemon().name("sund-node-condition").unstarted(this::follow);
  private String said = "";

  /**
   * How often the object is read.
   *
   * @param whenWell after the condition was found right
   * @param whenNot after the API server did not answer or refused
   */
  record Pace(Duration whenWell, Duration whenNot) {
    static final Pace DEFAULT = new Pace(Duration.ofMinutes(5), Duration.ofSeconds(10));
  }

  /**
   * Prepares; {@link #start} begins.
   *
   * @param objects closed with this
   * @param ready whether the agent is ready
   */
  NodeCondition(
      NodeName node,
      ApiObjects objects,
      BooleanSupplier ready,
      InstantSource clock,
      Pace pace,
      Log log) {
    this.node = node;
    this.objects = objects;
    this.ready = ready;
    this.clock = clock;
    this.pace = pace;
    this.log = log;
  }

  void start() {
    thread.start();
  }

  @Override
  public void close() throws InterruptedException {
    ending.countDown();
    objects.close();
    thread.join(Duration.ofSeconds(1));
  }

  private void follow() {
    try {
      while (!ready.getAsBoolean()) {
        if (ends(READY_STEP)) {
          return;
        }
      }
      Duration pause = look();
      objects.rest(); // minutes pass until the next look
      while (!ends(pause)) {
        pause = look();
        objects.rest();
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean ends(Duration pause) throws InterruptedException {
    return ending.await(pause.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Reads, and writes if need be; how long to wait before it is done again. */
  Duration look() {
    ApiPath nodes = ApiPath.of("v1", "nodes");
    try {
      Optional<Tree.Mapping> object = objects.read(nodes.named(node.text()));
      if (object.isEmpty()) {
        return trouble("the API server has no node " + node);
      }
      if (!isRight(object.get())) {
        objects.patch(nodes.statusOf(node.text()), ApiObjects.Patch.STRATEGIC, change());
        log.info("the node's network is there", "condition", TYPE + "=False");
      }
      said = "";
      return pace.whenWell;
    } catch (ApiRefusal e) {
      return trouble(
          e.isForbidden() ? e.getMessage() + "; apply deploy/rbac.yaml" : e.getMessage());
    } catch (IOException e) {
      return trouble(e.getMessage());
    }
  }

  /** Says what is wrong, once as long as it stays the same. */
  private Duration trouble(@org.jspecify.annotations.Nullable String why) {
    String text = String.valueOf(why);
    if (ending.getCount() > 0 && !text.equals(said)) {
      log.warn("the node's condition cannot be set", "condition", TYPE, "why", text);
      said = text;
    }
    return pace.whenNot;
  }

  private static boolean isRight(Tree.Mapping object) {
    if (object.mapping("status").flatMap(status -> status.get("conditions")).orElse(object)
        instanceof Tree.Sequence conditions) {
      for (Tree item : conditions.items()) {
        if (item instanceof Tree.Mapping condition
            && condition.text("type").filter(TYPE::equals).isPresent()) {
          return condition.text("status").filter("False"::equals).isPresent();
        }
      }
    }
    return false;
  }

  private Tree change() {
    String now = clock.instant().truncatedTo(ChronoUnit.SECONDS).toString();
    Map<String, Tree> condition = new LinkedHashMap<>();
    condition.put("type", Tree.Scalar.text(TYPE));
    condition.put("status", Tree.Scalar.text("False"));
    condition.put("reason", Tree.Scalar.text("SundIsReady"));
    condition.put("message", Tree.Scalar.text("Sund connects the pods of this node."));
    condition.put("lastTransitionTime", Tree.Scalar.text(now));
    condition.put("lastHeartbeatTime", Tree.Scalar.text(now));
    Tree conditions = Tree.Sequence.of(List.of(Tree.Mapping.of(condition)));
    return Tree.Mapping.of(Map.of("status", Tree.Mapping.of(Map.of("conditions", conditions))));
  }
}
