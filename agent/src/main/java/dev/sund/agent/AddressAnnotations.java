package dev.sund.agent;

import dev.sund.agent.apply.CalledThread;
import dev.sund.agent.log.Log;
import dev.sund.engine.cluster.AddressNotice;
import dev.sund.kube.api.ApiObjects;
import dev.sund.kube.api.ApiPath;
import dev.sund.kube.api.ApiRefusal;
import dev.sund.kube.tree.Tree;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Marks;
import dev.sund.model.NodeName;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Says in annotations of the node's object by which addresses the node is reached, where these are
 * not its {@code InternalIP}s, and which addresses its tunnels have taken from pools: other nodes'
 * agents cannot see what this one found and took on its machine. It is told what is to be written
 * as long as the object says otherwise, so an annotation that somebody removes is written again,
 * and one that has become wrong is removed.
 *
 * <p>Each write has a connection of its own, since a machine whose address has just changed has
 * none that lives. The annotations stay when the agent ends, as the tunnels do. One platform
 * thread, {@code sund-annotations}.
 */
final class AddressAnnotations implements Consumer<Optional<AddressNotice>>, AutoCloseable {
  private static final Duration RETRY = Duration.ofSeconds(1);

  /** What a watch may take to show what was written; longer each time that it does not. */
  private static final Duration WATCH_DELAY = Duration.ofMillis(100);

  private final NodeName node;
  private final Supplier<ApiObjects> connect;
  private final Log log;
  private final AtomicReference<Optional<AddressNotice>> wanted =
      new AtomicReference<>(Optional.empty());
  private final CalledThread thread =
      new CalledThread(
          "annotations",
          Duration.ZERO,
          () -> {
            Optional<AddressNotice> notice = wanted.get();
            return notice.isEmpty() ? Duration.ZERO : write(notice.get());
          });
  private final AtomicInteger writes = new AtomicInteger();
  private String said = "";

  /**
   * Prepares; {@link #start} begins.
   *
   * @param connect makes a way to the API server, which is closed after each write
   */
  AddressAnnotations(NodeName node, Supplier<ApiObjects> connect, Log log) {
    this.node = node;
    this.connect = connect;
    this.log = log;
  }

  void start() {
    thread.start();
  }

  /** What the object must say; empty when it says so. From any thread; never waits. */
  @Override
  public void accept(Optional<AddressNotice> notice) {
    wanted.set(notice);
    writes.set(0);
    notice.ifPresent(_ -> thread.call());
  }

  @Override
  public void close() throws InterruptedException {
    thread.close();
  }

  private Duration write(AddressNotice notice) {
    try (ApiObjects objects = connect.get()) {
      objects.patch(
          ApiPath.of("v1", "nodes").statusOf(node.text()), ApiObjects.Patch.MERGE, change(notice));
      log.info("told other nodes how this one is reached", "addresses", text(notice));
      said = "";
      // Until the watch shows it, it may have been undone unseen.
      thread.call();
      return WATCH_DELAY.multipliedBy(1L << Math.min(writes.getAndIncrement(), 6));
    } catch (ApiRefusal e) {
      return trouble(
          e.isForbidden() ? e.getMessage() + "; apply deploy/rbac.yaml" : e.getMessage());
    } catch (IOException e) {
      return trouble(e.getMessage());
    }
  }

  private Duration trouble(@org.jspecify.annotations.Nullable String why) {
    String text = String.valueOf(why);
    if (!text.equals(said)) {
      log.warn("other nodes cannot be told how this one is reached", "why", text);
      said = text;
    }
    thread.call();
    return RETRY;
  }

  /** A merge patch; what is null goes. */
  static Tree change(AddressNotice notice) {
    Map<String, Tree> annotations = new LinkedHashMap<>();
    for (Family family : Family.values()) {
      Optional<Ip> address = notice.said().get(family);
      annotations.put(
          family == Family.V4 ? Marks.ANNOTATION_V4 : Marks.ANNOTATION_V6,
          address == null
              ? Tree.Scalar.plain("null")
              : Tree.Scalar.text(address.map(Ip::toString).orElse(Marks.NO_ADDRESS)));
    }
    annotations.put(
        Marks.ANNOTATION_TUNNELS,
        notice.tunnels().isEmpty() ? Tree.Scalar.plain("null") : Tree.Scalar.text(tunnels(notice)));
    return Tree.Mapping.of(
        Map.of("metadata", Tree.Mapping.of(Map.of("annotations", Tree.Mapping.of(annotations)))));
  }

  private static String tunnels(AddressNotice notice) {
    return String.join(",", notice.tunnels().stream().map(Ip::toString).toList());
  }

  private static String text(AddressNotice notice) {
    String reached =
        notice.said().isEmpty()
            ? "InternalIP"
            : String.join(
                ",",
                notice.said().values().stream()
                    .map(ip -> ip.map(Ip::toString).orElse(Marks.NO_ADDRESS))
                    .toList());
    return notice.tunnels().isEmpty() ? reached : reached + ", tunnels " + tunnels(notice);
  }
}
