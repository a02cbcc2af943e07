package dev.sund.bench.agent;

/** The cluster that agents are measured in, as manifests. */
final class AgentScenes {
  private AgentScenes() {}

  /** Three dual-stack nodes on two subnets; {@code pods} pods on n1, one each on n2 and n3. */
  static String threeNodes(int pods) {
    StringBuilder text = new StringBuilder();
    text.append(pool("four", "10.240.0.0/12")).append(pool("six", "2001:db8::/32"));
    text.append(node(1, "192.168.11.11", "fd00:a::11"));
    text.append(node(2, "192.168.11.12", "fd00:a::12"));
    text.append(node(3, "192.168.12.13", "fd00:b::13"));
    for (int i = 0; i < pods; i++) {
      text.append(pod("p" + i, 1, 10 + i));
    }
    text.append(pod("on-n2", 2, 10)).append(pod("on-n3", 3, 10));
    return text.toString();
  }

  private static String pool(String name, String cidr) {
    return """
    ---
    apiVersion: projectcalico.org/v3
    kind: IPPool
    metadata: {name: %s}
    spec: {cidr: "%s", vxlanMode: CrossSubnet, natOutgoing: true}
    """
        .formatted(name, cidr);
  }

  private static String node(int number, String v4, String v6) {
    return """
    ---
    apiVersion: v1
    kind: Node
    metadata: {name: n%1$d, uid: uid-n%1$d}
    spec: {podCIDR: 10.244.%1$d.0/24, podCIDRs: [10.244.%1$d.0/24, "2001:db8:%1$d::/64"]}
    status:
      addresses:
      - {type: InternalIP, address: %2$s}
      - {type: InternalIP, address: "%3$s"}
    """
        .formatted(number, v4, v6);
  }

  private static String pod(String name, int node, int host) {
    return """
    ---
    apiVersion: v1
    kind: Pod
    metadata: {namespace: bench, name: %1$s, uid: uid-%1$s}
    spec: {nodeName: n%2$d, containers: [{name: main, image: none}]}
    status:
      phase: Running
      podIP: 10.244.%2$d.%3$d
      podIPs: [{ip: 10.244.%2$d.%3$d}, {ip: "2001:db8:%2$d::%4$x"}]
    """
        .formatted(name, node, host, host);
  }
}
