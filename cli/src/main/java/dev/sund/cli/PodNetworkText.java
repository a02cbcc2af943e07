package dev.sund.cli;

import dev.sund.agent.local.Json;
import dev.sund.doctor.pods.PodNetwork;
import dev.sund.model.Ip;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Where a pod's network is, for people and programs. */
final class PodNetworkText {
  private PodNetworkText() {}

  /** Its fields, for JSON. */
  static Map<String, Object> fields(PodNetwork network) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("pod", network.name());
    fields.put("netns", network.namespace().toString());
    network.pid().ifPresent(pid -> fields.put("pid", pid));
    fields.put("container", network.container());
    fields.put("addresses", network.addresses().stream().map(Ip::toString).toList());
    fields.put("node", network.node());
    fields.put("foundBy", network.how());
    return fields;
  }

  static void print(PodNetwork network, boolean json, PrintWriter out) {
    if (json) {
      out.println(Json.write(fields(network)));
    } else {
      List<String> addresses = network.addresses().stream().map(Ip::toString).toList();
      out.println("pod        " + network.name());
      out.println(
          "network    " + network.namespace() + (network.node() ? " (the node's own)" : ""));
      out.println("container  " + (network.container().isEmpty() ? "-" : network.container()));
      out.println("addresses  " + (addresses.isEmpty() ? "-" : String.join(", ", addresses)));
      out.println("found by   " + network.how());
    }
    out.flush();
  }
}
