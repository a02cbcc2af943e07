package dev.sund.it.cni;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.local.Answer;
import dev.sund.agent.local.Json;
import dev.sund.agent.trace.KnownCluster;
import dev.sund.engine.trace.Packet;
import dev.sund.engine.trace.Packet.FromNode;
import dev.sund.engine.trace.Packet.FromPod;
import dev.sund.engine.trace.Packet.Origin;
import dev.sund.engine.trace.Trace;
import dev.sund.it.agent.AgentScene;
import dev.sund.it.cni.Shim.Ended;
import dev.sund.kernel.NetNs;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.Tree;
import dev.sund.lab.api.Resource;
import dev.sund.lab.offline.OfflineCluster;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Protocol;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Pods of the cluster on a bridge of a node, as a runtime brings them there: the API has them, and
 * the plugin {@code bridge} is told which pods they are.
 */
final class PodsOnABridge implements AutoCloseable {
  static final String BRIDGE = "podbr0";
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** How long nothing must come where nothing is to come; what comes late is not seen. */
  private static final int SILENCE_MILLIS = 150;

  private final AgentScene scene;
  private final Shim plugin;
  private final String config;
  private final Map<String, Pod> pods = new LinkedHashMap<>();
  private final List<ServerSocket> servers = new ArrayList<>();

  /** A pod with an address of each family. */
  record Pod(PodKey key, NetNs netns, Ip v4, Ip v6) {
    Ip ip(Family family) {
      return family == Family.V4 ? v4 : v6;
    }
  }

  /**
   * On node n1.
   *
   * @param addresses where the plugin keeps whose addresses are whose
   */
  PodsOnABridge(AgentScene scene, Shim plugin, Path addresses) {
    this.scene = scene;
    this.plugin = plugin;
    this.config =
        """
        {"cniVersion":"1.0.0","name":"pods","type":"bridge","bridge":"%s",
         "isDefaultGateway":true,"ipMasq":true,"hairpinMode":HAIRPIN,
         "ipam":{"type":"host-local","dataDir":"%s",
          "ranges":[[{"subnet":"10.89.0.0/24"}],[{"subnet":"fd00:89::/64"}]]}}
        """
            .formatted(BRIDGE, addresses);
  }

  /** Tells the API of a pod, and lets the plugin attach it, with hairpin mode or without. */
  Pod add(String name, boolean hairpin) throws Exception {
    PodKey key = new PodKey("shop", name);
    NetNs netns = scene.topology().createPod(key);
    scene.api().put(json(object(key, "")));
    Ended ended = call("ADD", key, netns, hairpin);
    assertThat(ended.exitCode()).as(ended.output()).isZero();
    List<Ip> ips = new ArrayList<>();
    Map<String, Object> result = Json.object(ended.output().getBytes(StandardCharsets.UTF_8));
    for (Map<String, Object> one : Json.children(result, "ips")) {
      ips.add(Ip.parse(Json.text(one, "address").replaceFirst("/.*", "")));
    }
    Pod pod = new Pod(key, netns, ips.get(0), ips.get(1));
    pods.put(name, pod);
    return pod;
  }

  /** Tells the API which addresses a pod has, as a kubelet does a while later. */
  void report(Pod pod) throws Exception {
    scene
        .api()
        .put(
            json(
                object(
                    pod.key(),
                    "\"podIP\":\"%s\",\"podIPs\":[{\"ip\":\"%s\"},{\"ip\":\"%s\"}],"
                        .formatted(pod.v4(), pod.v4(), pod.v6()))));
  }

  private static String object(PodKey key, String addresses) {
    return """
    {"apiVersion":"v1","kind":"Pod",
     "metadata":{"namespace":"%s","name":"%s","uid":"uid-%2$s","labels":{"app":"%2$s"}},
     "spec":{"nodeName":"n1","containers":[{"name":"main","image":"none"}]},
     "status":{%s"phase":"Running"}}
    """
        .formatted(key.namespace(), key.name(), addresses);
  }

  /** Detaches a pod and tells the API that it is gone. */
  void remove(Pod pod) throws Exception {
    assertThat(call("DEL", pod.key(), pod.netns(), false)).isEqualTo(new Ended(0, ""));
    scene.api().delete(Resource.PODS, pod.key().toString());
    scene.topology().removePod(pod.key());
    pods.remove(pod.key().name());
  }

  private Ended call(String command, PodKey key, NetNs netns, boolean hairpin) throws Exception {
    Map<String, String> environment =
        Shim.environment(command, "box-" + key.name(), netns.path().toString(), "eth0");
    environment.put(
        "CNI_ARGS",
        "IgnoreUnknown=1;K8S_POD_NAMESPACE=%s;K8S_POD_NAME=%s;K8S_POD_UID=uid-%2$s"
            .formatted(key.namespace(), key.name()));
    return plugin.call(environment, config.replace("HAIRPIN", String.valueOf(hairpin)));
  }

  /** A policy of namespace shop about the pods of this name, or all. */
  void policy(String name, String spec) throws Exception {
    scene
        .api()
        .put(
            json(
                """
                {"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy",
                 "metadata":{"namespace":"shop","name":"%s","uid":"p-%1$s"},"spec":%s}
                """
                    .formatted(name, spec)));
  }

  /** A Service with a ClusterIP of each family, port 80, whose one endpoint is this pod's port. */
  void service(String name, String v4, String v6, Pod behind, int port) throws Exception {
    scene
        .api()
        .put(
            json(
                """
                {"apiVersion":"v1","kind":"Service",
                 "metadata":{"namespace":"shop","name":"%1$s","uid":"s-%1$s"},
                 "spec":{"clusterIPs":["%2$s","%3$s"],"ports":[{"name":"p","port":80,"targetPort":%4$d}]}}
                """
                    .formatted(name, v4, v6, port)));
    for (Family family : Family.values()) {
      scene
          .api()
          .put(
              json(
                  """
                  {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","addressType":"IP%1$s",
                   "metadata":{"namespace":"shop","name":"%4$s-%1$s","uid":"e-%4$s-%1$s",
                    "labels":{"kubernetes.io/service-name":"%4$s"}},
                   "ports":[{"name":"p","protocol":"TCP","port":%2$d}],
                   "endpoints":[{"addresses":["%3$s"],"nodeName":"n1","conditions":{"ready":true}}]}
                  """
                      .formatted(family.label(), port, behind.ip(family), name)));
    }
  }

  /** Somebody takes connections in a pod, at all of its addresses. */
  void serve(Pod pod, int port) throws Exception {
    servers.add(
        pod.netns()
            .<ServerSocket, IOException>call(() -> {
              ServerSocket server = new ServerSocket();
              server.bind(new InetSocketAddress("::", port));
              return server;
            }));
  }

  /** Whether a connection comes about. */
  boolean connects(NetNs from, Ip to, int port, int millis) throws Exception {
    try (Socket client =
        from.call(() -> {
          Socket made = new Socket();
          made.setTcpNoDelay(true); // makes the descriptor here
          return made;
        })) {
      client.connect(new InetSocketAddress(InetAddress.ofLiteral(to.toString()), port), millis);
      return true;
    } catch (IOException _) {
      return false;
    }
  }

  /** Packets do this, and the agent's knowledge says so too. */
  void passes(boolean expected, Origin from, Ip to, int port) throws Exception {
    measured(expected, from, to, port);
    String what = from + " to " + to + " port " + port;
    scene.await(
        "a trace from " + what + (expected ? " passes" : " is stopped"),
        PATIENCE,
        () -> trace(from, to, port).answered() == expected);
  }

  /** Packets do this. */
  void measured(boolean expected, Origin from, Ip to, int port) throws Exception {
    NetNs netns =
        from instanceof FromPod(PodKey key) ? pods.get(key.name()).netns() : scene.node(1);
    if (expected) {
      scene.await(
          from + " reaches " + to + " port " + port,
          PATIENCE,
          () -> connects(netns, to, port, 1_000));
    } else {
      assertThat(connects(netns, to, port, SILENCE_MILLIS))
          .as("%s to %s port %d", from, to, port)
          .isFalse();
    }
  }

  static Origin node() {
    return new FromNode(new NodeName("n1"));
  }

  /** What the agent's knowledge says of a connection. */
  Trace trace(Origin from, Ip to, int port) throws Exception {
    Answer answer = scene.client(1).ask(KnownCluster.question());
    assertThat(answer.exitCode()).as(answer.json()).isZero();
    return OfflineCluster.of(
            KnownCluster.of(Json.object(answer.json().getBytes(StandardCharsets.UTF_8))))
        .traces(Packet.small(from, to, Protocol.TCP, port))
        .getFirst();
  }

  private static Tree.Mapping json(String text) throws Exception {
    return (Tree.Mapping) JsonTrees.parse(text);
  }

  /** Nobody takes connections any more. */
  @Override
  public void close() throws IOException {
    for (ServerSocket server : servers) {
      server.close();
    }
  }
}
