package dev.sund.agent.services;

import dev.sund.agent.apply.ApplyLoop;
import dev.sund.agent.local.Answer;
import dev.sund.agent.log.Log;
import dev.sund.agent.services.ServiceFields.Count;
import dev.sund.agent.services.ServiceFields.Target;
import dev.sund.engine.ServiceSummary;
import dev.sund.engine.ServiceSummary.ServicePlace;
import dev.sund.engine.program.Frontend;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.conntrack.ConntrackEntry;
import dev.sund.kernel.conntrack.ConntrackFilter;
import dev.sund.kernel.conntrack.ConntrackSocket;
import dev.sund.model.Condition;
import dev.sund.model.Ip;
import dev.sund.model.Marks;
import dev.sund.model.ObjectRef;
import dev.sund.model.Protocol;
import dev.sund.model.ServiceKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeoutException;

/**
 * Answers {@code sund service}: {@code {"command":"SERVICE","verb":"list"}} with {@code
 * {"services":[...]}}, and {@code "verb":"show"} with {@code "service":"NAMESPACE/NAME"} with the
 * one. Connections are counted in the kernel's own table when somebody asks.
 */
final class ServiceReports {
  private static final String FORM = "1.0.0";
  private static final int UNKNOWN = 4;
  private static final int NOT_NOW = 11;
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  /** So many Services are looked at before the engine goes on with its work. */
  private static final int AT_ONCE = 64;

  private final ApplyLoop loop;
  private final NetNs namespace;
  private final Log log;

  ServiceReports(ApplyLoop loop, NetNs namespace, Log log) {
    this.loop = loop;
    this.namespace = namespace;
    this.log = log;
  }

  Answer answer(Map<String, Object> request) throws InterruptedException {
    try {
      return switch (String.valueOf(request.getOrDefault("verb", ""))) {
        case "list" -> Answer.success(Map.of("services", list()));
        case "show" -> show(String.valueOf(request.getOrDefault("service", "")));
        default -> Answer.error(FORM, UNKNOWN, "There is no such verb.", "Ask for list or show.");
      };
    } catch (TimeoutException _) {
      return Answer.error(
          FORM, NOT_NOW, "The agent is busy.", "Ask again; look at sund status if it stays so.");
    }
  }

  private List<Object> list() throws InterruptedException, TimeoutException {
    List<ServiceKey> keys =
        loop.ask(compiler -> List.copyOf(new TreeSet<>(compiler.services())), PATIENCE);
    List<Object> found = new ArrayList<>();
    for (int from = 0; from < keys.size(); from += AT_ONCE) {
      List<ServiceKey> some = keys.subList(from, Math.min(keys.size(), from + AT_ONCE));
      List<ServiceSummary> summaries =
          loop.ask(
              compiler -> some.stream().flatMap(key -> compiler.service(key).stream()).toList(),
              PATIENCE);
      summaries.forEach(summary -> found.add(ServiceFields.line(summary)));
    }
    return found;
  }

  private Answer show(String name) throws InterruptedException, TimeoutException {
    ServiceKey key;
    try {
      key = ServiceKey.parse(name);
    } catch (IllegalArgumentException e) {
      return Answer.error(FORM, UNKNOWN, e.getMessage() + ".", "Name it as NAMESPACE/NAME.");
    }
    Optional<ServiceSummary> summary = loop.ask(compiler -> compiler.service(key), PATIENCE);
    if (summary.isEmpty()) {
      List<Condition> refused =
          loop.ask(
              compiler -> compiler.refused(new ObjectRef("Service", key.toString())), PATIENCE);
      if (!refused.isEmpty()) {
        return Answer.error(
            FORM,
            UNKNOWN,
            "Service " + key + " cannot be used as it is written: " + refused.getFirst(),
            "Mend the object; nothing is served of it until then.");
      }
      return Answer.error(
          FORM,
          UNKNOWN,
          "There is no Service " + key + ".",
          "Look at sund service list; name the namespace with -n.");
    }
    return Answer.success(ServiceFields.show(summary.get(), connections(summary.get())));
  }

  /** Connections to this Service by who answers them; empty when the kernel does not say. */
  private Optional<Map<Target, Count>> connections(ServiceSummary summary)
      throws InterruptedException {
    if (summary.places().isEmpty()) {
      return Optional.of(Map.of());
    }
    FutureTask<Map<Target, Count>> reading = new FutureTask<>(() -> read(summary.places()));
    Thread.ofPlatform().name(Marks.THREAD_PREFIX + "connections-of").daemon(true).start(reading);
    try {
      return Optional.of(reading.get());
    } catch (ExecutionException e) {
      log.warn("the table of connections cannot be read", "error", String.valueOf(e.getCause()));
      return Optional.empty();
    }
  }

  private Map<Target, Count> read(List<ServicePlace> places) throws KernelException {
    Set<Frontend.Key> keys = new TreeSet<>(places.stream().map(ServicePlace::key).toList());
    Map<Target, Count> counts = new HashMap<>();
    try (ConntrackSocket socket = ConntrackSocket.open(namespace)) {
      for (Protocol protocol : new TreeSet<>(keys.stream().map(key -> key.protocol()).toList())) {
        socket.list(
            ConntrackFilter.ofProtocol(protocol.number()),
            entry -> {
              if (entry.hasOtherDestination() && isTo(keys, protocol, entry)) {
                count(counts, protocol, entry);
              }
            });
      }
    }
    return counts;
  }

  /** Of a node port the address may be any of the node's. */
  private static boolean isTo(Set<Frontend.Key> keys, Protocol protocol, ConntrackEntry entry) {
    Ip asked = entry.original().destination();
    int port = entry.original().destinationPort();
    return port > 0
        && (keys.contains(new Frontend.Key(new Frontend.Place.At(asked), protocol, port))
            || keys.contains(
                new Frontend.Key(new Frontend.Place.AnyLocal(asked.family()), protocol, port)));
  }

  private static void count(Map<Target, Count> counts, Protocol protocol, ConntrackEntry entry) {
    Target target = new Target(protocol, entry.reply().source(), entry.reply().sourcePort());
    Count one =
        entry
            .counters()
            .map(counters -> new Count(1, true, counters.packets(), counters.replyPackets()))
            .orElseGet(() -> new Count(1, false, 0, 0));
    counts.merge(target, one, Count::plus);
  }
}
