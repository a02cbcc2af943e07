package dev.sund.lab.matrix;

import dev.sund.engine.cluster.Pod;
import dev.sund.engine.cluster.Service;
import dev.sund.engine.cluster.Service.ServicePort;
import dev.sund.engine.trace.Packet.FromNode;
import dev.sund.engine.trace.Packet.FromOutside;
import dev.sund.lab.question.Listeners;
import dev.sund.lab.question.Party;
import dev.sund.lab.question.Question;
import dev.sund.lab.question.Question.Kind;
import dev.sund.lab.scene.Scene;
import dev.sund.lab.scene.Scene.SceneNode;
import dev.sund.lab.scene.Scene.ScenePod;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.Protocol;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * What is asked of Services: each of their addresses and ports from a pod of every node and from
 * the first node; what people outside can ask at, from outside too. Node ports at two nodes.
 */
public final class ServiceQuestions {
  private static final int NODES = 2;

  private final Scene scene;
  private final List<Question> questions = new ArrayList<>();
  private final Map<Party, List<Ip>> inside = new LinkedHashMap<>();
  private final Party outside =
      new Party(Scene.OUTSIDE, Scene.OUTSIDE, new FromOutside(Scene.OUTSIDE), Scene.OUTSIDE);
  private int next;

  private ServiceQuestions(Scene scene, int first) {
    this.scene = scene;
    this.next = first;
  }

  /**
   * The questions.
   *
   * @param first the number of the first
   */
  public static List<Question> of(Scene scene, List<Service> services, int first) {
    ServiceQuestions asked = new ServiceQuestions(scene, first);
    asked.askers();
    services.forEach(asked::about);
    return asked.questions;
  }

  /** How a Service is called as the one who is asked: {@code svc/NAMESPACE/NAME}. */
  public static String label(Service service) {
    return "svc/" + service.key();
  }

  private void askers() {
    Set<NodeName> represented = new TreeSet<>();
    for (ScenePod each : scene.pods()) {
      Pod pod = each.pod();
      if (!pod.hostNetwork() && represented.add(each.node())) {
        inside.put(
            new Party(
                pod.key().toString(), each.group(), Listeners.origin(pod), each.node().text()),
            pod.ips());
      }
    }
    SceneNode node = scene.nodes().getFirst();
    inside.put(party(node), node.node().addresses());
  }

  private static Party party(SceneNode node) {
    String name = node.name().text();
    return new Party("node " + name, "node", new FromNode(node.name()), name);
  }

  private void about(Service service) {
    String label = label(service);
    Party to =
        new Party(label, label, new FromOutside(label), scene.nodes().getFirst().name().text());
    Map<Party, List<Ip>> everybody = new LinkedHashMap<>(inside);
    everybody.put(outside, scene.addresses(Scene.OUTSIDE));
    List<Ip> external = new ArrayList<>(service.externalIps());
    service
        .loadBalancerIps()
        .forEach(balanced -> {
          if (!balanced.proxied()) {
            external.add(balanced.address());
          }
        });
    for (ServicePort port : service.ports()) {
      for (Ip ip : service.clusterIps()) {
        ask(inside, to, ip, port.protocol(), port.port());
      }
      for (Ip ip : external) {
        ask(everybody, to, ip, port.protocol(), port.port());
      }
      if (port.nodePort().isPresent()) {
        scene.nodes().stream()
            .limit(NODES)
            .flatMap(node -> node.node().addresses().stream())
            .filter(ip -> service.clusterIps().stream().anyMatch(has -> same(has, ip)))
            .forEach(ip -> ask(everybody, to, ip, port.protocol(), port.nodePort().get()));
      }
    }
  }

  private static boolean same(Ip one, Ip two) {
    Family family = one.family();
    return family == two.family();
  }

  private void ask(Map<Party, List<Ip>> askers, Party to, Ip ip, Protocol protocol, int port) {
    askers.forEach((from, own) -> {
      if (own.stream().anyMatch(has -> same(has, ip))) {
        questions.add(new Question(next++, Kind.SERVICE, from, to, ip, protocol, port, List.of()));
      }
    });
  }
}
