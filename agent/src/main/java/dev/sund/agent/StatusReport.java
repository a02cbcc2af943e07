package dev.sund.agent;

import dev.sund.agent.apply.ApplyState;
import dev.sund.engine.NodeSummary;
import dev.sund.engine.PodDevices;
import dev.sund.engine.cluster.Attachment;
import dev.sund.model.Condition;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * The node's one status object: what the socket's {@code STATUS} answers. Its fields, in order:
 *
 * <pre>
 * node, version, since, ready, readySince, notReady[],
 * uplinks[{address, device, mtu}], podMtu {family: bytes},
 * api {server, reachable, since, problem},
 * applied (batches), pending (changes),
 * program {localPods, routes, tunnels[], tunnelPeers, frontends},
 * ranges[{pool, range, all, used, cooling, free}], repaired {table: entries},
 * bridged (containers), cni {conflist, written} (empty when none is asked for),
 * services {served, count, nodePorts, choice},
 * doctor {period, ran, seconds, checks, findings {severity: number}, unread[{check, why, remedy}]},
 * peers {port, problem, ways[{node, family, address, state, answered, lost, refused, lossPercent,
 *   medianMillis, p99Millis, jitterMillis}]},
 * attachments[{pod, device, interface, addresses[], netns}],
 * conditions[{reason, severity, object {kind, name}, field, text, remedy}]
 * </pre>
 *
 * <p>A condition that the doctor found has the check's name as reason and the object's kind {@code
 * check}. {@code doctor} and {@code peers} are empty when they are switched off.
 *
 * <p>Times are UTC, as ISO 8601 has them; what is not known is an empty text.
 */
final class StatusReport {
  private StatusReport() {}

  /**
   * The agent itself.
   *
   * @param since when it was started
   * @param readySince when it was ready for the first time
   */
  record Process(NodeName node, String version, Instant since, Optional<Instant> readySince) {}

  /** What parts of the agent say of themselves, as they are reported. */
  record Surroundings(
      Map<String, Object> api,
      List<Map<String, Object>> ranges,
      Map<String, Long> repaired,
      int bridged,
      Map<String, Object> cni,
      Map<String, Object> services,
      Map<String, Object> doctor,
      Map<String, Object> peers,
      List<Map<String, Object>> findings) {}

  static Map<String, Object> of(
      Process process,
      List<String> notReady,
      Surroundings around,
      NodeSummary summary,
      ApplyState state,
      List<Condition> own,
      Collection<Attachment> attachments) {
    Map<String, Object> status = new LinkedHashMap<>();
    status.put("node", process.node().text());
    status.put("version", process.version());
    status.put("since", text(process.since()));
    status.put("ready", notReady.isEmpty());
    status.put("readySince", process.readySince().map(StatusReport::text).orElse(""));
    status.put("notReady", notReady);
    status.put("uplinks", summary.uplinks().stream().map(StatusReport::uplink).toList());
    Map<String, Object> podMtu = new LinkedHashMap<>();
    summary.podMtu().forEach((family, mtu) -> podMtu.put(family.label(), mtu));
    status.put("podMtu", podMtu);
    status.put("api", around.api());
    status.put("applied", state.applied());
    status.put("pending", state.pending());
    status.put("program", program(summary));
    status.put("ranges", around.ranges());
    status.put("repaired", around.repaired());
    status.put("bridged", around.bridged());
    status.put("cni", around.cni());
    status.put("services", around.services());
    status.put("doctor", around.doctor());
    status.put("peers", around.peers());
    List<Object> pods = new ArrayList<>();
    attachments.stream()
        .sorted(Comparator.comparing(Attachment::pod).thenComparing(Attachment::key))
        .forEach(attachment -> pods.add(pod(attachment)));
    status.put("attachments", pods);
    List<Object> conditions = new ArrayList<>();
    all(state, own).forEach(condition -> conditions.add(condition(condition)));
    conditions.addAll(around.findings());
    status.put("conditions", conditions);
    return status;
  }

  /** All conditions that hold, sorted. */
  static TreeSet<Condition> all(ApplyState state, List<Condition> own) {
    TreeSet<Condition> all = new TreeSet<>(own);
    all.addAll(state.engineConditions());
    all.addAll(state.kernelConditions());
    return all;
  }

  private static String text(Instant time) {
    return time.truncatedTo(ChronoUnit.SECONDS).toString();
  }

  private static Map<String, Object> uplink(NodeSummary.Uplink uplink) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("address", uplink.address().toString());
    fields.put("device", uplink.device());
    fields.put("mtu", uplink.mtu());
    return fields;
  }

  private static Map<String, Object> program(NodeSummary summary) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("localPods", summary.localPods());
    fields.put("routes", summary.routes());
    fields.put("tunnels", summary.tunnels());
    fields.put("tunnelPeers", summary.tunnelPeers());
    fields.put("frontends", summary.frontends());
    return fields;
  }

  private static Map<String, Object> pod(Attachment attachment) {
    Map<String, Object> pod = new LinkedHashMap<>();
    pod.put("pod", attachment.pod().toString());
    pod.put("device", PodDevices.device(attachment));
    pod.put("interface", attachment.interfaceName());
    pod.put("addresses", attachment.addresses().stream().map(Ip::toString).toList());
    pod.put("netns", attachment.netns());
    return pod;
  }

  private static Map<String, Object> condition(Condition condition) {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("kind", condition.object().kind());
    object.put("name", condition.object().name());
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("reason", condition.reason().code());
    fields.put("severity", condition.severity().name().toLowerCase(java.util.Locale.ROOT));
    fields.put("object", object);
    fields.put("field", condition.field());
    fields.put("text", condition.text());
    fields.put("remedy", condition.remedy());
    return fields;
  }
}
