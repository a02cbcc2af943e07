package dev.sund.agent;

import dev.sund.agent.apply.ApplyState;
import dev.sund.engine.PodDevices;
import dev.sund.engine.cluster.Attachment;
import dev.sund.model.Condition;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * The node's one status object: what the socket's {@code STATUS} answers. Its fields, in order:
 *
 * <pre>
 * node, ready, notReady[], applied (batches), pending (changes),
 * attachments[{pod, device, interface, addresses[], netns}],
 * conditions[{reason, severity, object {kind, name}, field, text, remedy}]
 * </pre>
 */
final class StatusReport {
  private StatusReport() {}

  static Map<String, Object> of(
      NodeName node,
      List<String> notReady,
      ApplyState state,
      List<Condition> own,
      Collection<Attachment> attachments) {
    Map<String, Object> status = new LinkedHashMap<>();
    status.put("node", node.text());
    status.put("ready", notReady.isEmpty());
    status.put("notReady", notReady);
    status.put("applied", state.applied());
    status.put("pending", state.pending());
    List<Object> pods = new ArrayList<>();
    attachments.stream()
        .sorted(Comparator.comparing(Attachment::pod).thenComparing(Attachment::key))
        .forEach(attachment -> pods.add(pod(attachment)));
    status.put("attachments", pods);
    List<Object> conditions = new ArrayList<>();
    all(state, own).forEach(condition -> conditions.add(condition(condition)));
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
