package dev.sund.lab;

import dev.sund.agent.local.Answer;
import dev.sund.agent.local.Json;
import dev.sund.agent.local.LocalClient;
import dev.sund.engine.ipam.AddressSettings.Mode;
import dev.sund.kernel.NetNs;
import dev.sund.kube.tree.Tree;
import dev.sund.lab.api.LabApi;
import dev.sund.lab.api.Resource;
import dev.sund.lab.scene.Scene.ScenePod;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a node's kubelet and container runtime do for a pod's network: ask the agent to attach it,
 * as the CNI plugin does, and then write its status to the API server. May be used by several
 * threads.
 */
final class Kubelet {
  private static final String INTERFACE = "eth0";

  /** CNI's error 11: the runtime is to ask again. */
  private static final String TRY_AGAIN_LATER = "\"code\":11,";

  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Duration PAUSE = Duration.ofMillis(10);

  private final LocalClient agent;
  private final LabApi api;
  private final List<Ip> hostAddresses;
  private final Mode mode;

  /**
   * A node's.
   *
   * @param runDirectory the agent's
   * @param hostAddresses the node's addresses
   * @param mode with pools the agent gives pods their addresses, else the lab has chosen them
   */
  Kubelet(Path runDirectory, LabApi api, List<Ip> hostAddresses, Mode mode) {
    this.agent = new LocalClient(runDirectory);
    this.api = api;
    this.mode = mode;
    this.hostAddresses = List.copyOf(hostAddresses);
  }

  /**
   * Gives a pod its network and says that it runs.
   *
   * @param namespace the pod's; not asked for a hostNetwork pod
   * @return the pod with the addresses that it has now
   * @throws IOException when there is no agent, or when it refuses, with its words
   */
  ScenePod start(ScenePod pod, NetNs namespace) throws IOException, InterruptedException {
    ScenePod running = pod;
    if (!pod.pod().hostNetwork()) {
      List<String> ips = pod.pod().ips().stream().map(ip -> ip + "/" + ip.family().bits()).toList();
      Answer answer = add(pod, namespace, ips);
      if (answer.exitCode() != 0) {
        throw new IOException(
            "pod "
                + pod.pod().key()
                + " gets no network from the agent of node "
                + pod.node()
                + ": "
                + answer.json());
      }
      running = pod.with(addresses(answer));
    }
    ScenePod started = running;
    api.update(Resource.PODS, pod.pod().key().toString(), object -> running(object, started));
    return started;
  }

  private static List<Ip> addresses(Answer answer) throws IOException {
    try {
      Map<String, Object> result = Json.object(answer.json().getBytes(StandardCharsets.UTF_8));
      List<Ip> found = new ArrayList<>();
      for (Map<String, Object> ip : Json.children(result, "ips")) {
        found.add(InterfaceAddress.parse(Json.text(ip, "address")).ip());
      }
      return found;
    } catch (Json.MalformedException | IllegalArgumentException e) {
      throw new IOException("the agent's answer cannot be read: " + answer.json(), e);
    }
  }

  /**
   * Takes a pod's network away, as the runtime does before it removes the sandbox. An agent that is
   * away is asked no further: the namespace goes in any case, and the pod's link with it.
   */
  void stop(ScenePod pod, NetNs namespace) throws InterruptedException {
    try {
      agent.ask(
          LocalClient.cniRequest(
              "DEL",
              containerId(pod),
              namespace.path().toString(),
              INTERFACE,
              arguments(pod),
              List.of()));
    } catch (IOException _) {
      // There is no agent to tell; the next one finds out by itself.
    }
  }

  /** Asks until the agent no longer says that it is too early, as a container runtime does. */
  private Answer add(ScenePod pod, NetNs namespace, List<String> ips)
      throws IOException, InterruptedException {
    Map<String, Object> request =
        LocalClient.cniRequest(
            "ADD",
            containerId(pod),
            namespace.path().toString(),
            INTERFACE,
            arguments(pod),
            ips,
            mode == Mode.KUBERNETES);
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      Answer answer = agent.ask(request);
      boolean tooEarly = answer.exitCode() != 0 && answer.json().contains(TRY_AGAIN_LATER);
      if (!tooEarly || System.nanoTime() > deadline) {
        return answer;
      }
      Thread.sleep(PAUSE);
    }
  }

  private static String containerId(ScenePod pod) {
    return "lab-" + pod.pod().uid();
  }

  private static String arguments(ScenePod pod) {
    return "IgnoreUnknown=1;K8S_POD_NAMESPACE="
        + pod.pod().key().namespace()
        + ";K8S_POD_NAME="
        + pod.pod().key().name()
        + ";K8S_POD_INFRA_CONTAINER_ID="
        + containerId(pod)
        + ";K8S_POD_UID="
        + pod.pod().uid();
  }

  private Tree.Mapping running(Tree.Mapping object, ScenePod pod) {
    Map<String, Tree> status = new LinkedHashMap<>();
    status.put("phase", Tree.Scalar.text("Running"));
    status.put("hostIP", Tree.Scalar.text(hostAddresses.getFirst().toString()));
    status.put("hostIPs", ips(hostAddresses));
    status.put("podIP", Tree.Scalar.text(pod.pod().ips().getFirst().toString()));
    status.put("podIPs", ips(pod.pod().ips()));
    return object.with("status", Tree.Mapping.of(status));
  }

  private static Tree.Sequence ips(List<Ip> ips) {
    return Tree.Sequence.of(
        ips.stream()
            .map(ip -> Tree.Mapping.of(Map.<String, Tree>of("ip", Tree.Scalar.text(ip.toString()))))
            .toList());
  }
}
