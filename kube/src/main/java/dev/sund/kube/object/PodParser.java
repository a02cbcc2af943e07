package dev.sund.kube.object;

import dev.sund.engine.cluster.Pod;
import dev.sund.kube.tree.Shape;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * {@code v1 Pod} to {@link Pod}. A hostNetwork pod has no addresses of its own: the ones in its
 * status are its node's.
 */
final class PodParser {
  static final Shape SHAPE =
      Shape.object()
          .use("apiVersion", "kind")
          .use("metadata", Meta.OF_PODS)
          .use(
              "spec",
              Shape.object()
                  .use("nodeName", "hostNetwork")
                  .use("containers", Shape.listOf(PodPorts.CONTAINER))
                  .use("initContainers", Shape.listOf(PodPorts.CONTAINER))
                  .pass("activeDeadlineSeconds", "affinity", "automountServiceAccountToken")
                  .pass("dnsConfig", "dnsPolicy", "enableServiceLinks", "ephemeralContainers")
                  .pass("hostAliases", "hostIPC", "hostPID", "hostUsers", "hostname")
                  .pass("hostnameOverride", "imagePullSecrets", "nodeSelector", "os", "overhead")
                  .pass("preemptionPolicy", "priority", "priorityClassName", "readinessGates")
                  .pass("resourceClaims", "resources", "restartPolicy", "runtimeClassName")
                  .pass("schedulerName", "schedulingGates", "securityContext", "serviceAccount")
                  .pass("serviceAccountName", "setHostnameAsFQDN", "shareProcessNamespace")
                  .pass("subdomain", "terminationGracePeriodSeconds", "tolerations")
                  .pass("topologySpreadConstraints", "volumes", "workloadRef"))
          .use(
              "status",
              Shape.object()
                  .use("phase", "podIP")
                  .use("podIPs", Shape.listOf(Shape.object().use("ip")))
                  .pass("hostIP", "hostIPs")
                  .tell("allocatedResources", StatusFields.WHY)
                  .tell("conditions", StatusFields.WHY)
                  .tell("containerStatuses", StatusFields.WHY)
                  .tell("ephemeralContainerStatuses", StatusFields.WHY)
                  .tell("extendedResourceClaimStatus", StatusFields.WHY)
                  .tell("initContainerStatuses", StatusFields.WHY)
                  .tell("message", StatusFields.WHY)
                  .tell("nominatedNodeName", StatusFields.WHY)
                  .tell("observedGeneration", StatusFields.WHY)
                  .tell("qosClass", StatusFields.WHY)
                  .tell("reason", StatusFields.WHY)
                  .tell("resize", StatusFields.WHY)
                  .tell("resourceClaimStatuses", StatusFields.WHY)
                  .tell("resources", StatusFields.WHY)
                  .tell("startTime", StatusFields.WHY));

  private PodParser() {}

  static Parsed<Pod> parse(PodKey key, Field object) {
    Meta meta = Meta.read(object, "Pod", key.toString());
    Field spec = object.at("spec");
    Field status = object.at("status");
    Optional<NodeName> node = Meta.nodeName(spec.at("nodeName"));
    boolean hostNetwork = spec.at("hostNetwork").truth(false);
    String phase = status.at("phase").text().orElse("");
    List<Ip> ips = ips(status);
    PodPorts.Found ports = PodPorts.read(spec);
    Map<String, String> annotations = Meta.wishes(object);
    Field mirror = object.at("metadata").at("annotations").at(Pod.MIRROR);
    mirror.text().ifPresent(id -> annotations.put(Pod.MIRROR, id));
    // Pods of one Deployment have equal labels.
    Map<String, String> labels = Repeats.one(Map.copyOf(Meta.labels(object)));
    return object.finish(() ->
        new Pod(
            key,
            meta.uid(),
            meta.created(),
            Repeats.one(node),
            hostNetwork,
            phase.equals("Succeeded") || phase.equals("Failed"),
            hostNetwork ? List.of() : ips,
            Repeats.one(ports.ports()),
            hostNetwork ? List.of() : ports.hostPorts(),
            annotations,
            labels));
  }

  private static List<Ip> ips(Field status) {
    List<Ip> found = new ArrayList<>();
    Field list = status.at("podIPs");
    for (Field item : list.items()) {
      Field address = item.at("ip");
      Optional<Ip> ip =
          address.needed("Write the pod's address.").flatMap(_ -> address.ip("10.244.1.5"));
      if (ip.isEmpty()) {
        continue;
      }
      Family family = ip.get().family();
      Optional<Ip> before = found.stream().filter(other -> other.family() == family).findFirst();
      if (before.isPresent()) {
        address.invalid(
            "'" + ip.get() + "' is a second address of its family besides " + before.get() + ".",
            "Leave one of them out: a pod has at most one address of each family.");
      } else {
        found.add(ip.get());
      }
    }
    Field single = status.at("podIP");
    Optional<String> text = single.text().filter(ip -> !ip.isEmpty());
    Optional<Ip> ip = text.flatMap(_ -> single.ip("10.244.1.5"));
    if (ip.isPresent()) {
      if (!list.present()) {
        found.add(ip.get());
      } else if (!found.isEmpty() && !found.contains(ip.get())) {
        single.invalid(
            "'" + ip.get() + "' is none of status.podIPs.",
            "Write " + found.getFirst() + ", or leave status.podIP out.");
      }
    }
    return found;
  }
}
