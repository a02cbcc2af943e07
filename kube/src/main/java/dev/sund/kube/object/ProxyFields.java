package dev.sund.kube.object;

import dev.sund.kube.tree.Shape;
import dev.sund.kube.tree.Tree;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Every field of a KubeProxyConfiguration: used, or with the words that say why not. Installers
 * write out all of them, most with the value that leaves kube-proxy its default, of which nothing
 * is said.
 */
final class ProxyFields {
  private static final String AT_ONCE =
      "a change goes to the kernel at once, and drift is repaired";
  private static final String NO_IPVS = "Sund has no IPVS yet";
  private static final String NO_MARK = "no bit of the packets' marks is needed for it";
  private static final String LINUX = "Sund runs on Linux";
  private static final String OWN_WAY = "the agent's own options say so";
  private static final String SOURCE = "a source is translated to an address of the node anyway";
  private static final String LOCAL = "the ranges of pods are known from pools and nodes";

  static final Shape SHAPE =
      Shape.object()
          .use("apiVersion", "kind", "mode", "clusterCIDR", "nodePortAddresses")
          .use("detectLocalMode", "healthzBindAddress", "metricsBindAddress", "bindAddress")
          .use(
              "iptables",
              Shape.object()
                  .use("masqueradeAll", "localhostNodePorts")
                  .tell("masqueradeBit", NO_MARK)
                  .tell("snatNodeInternalIP", SOURCE)
                  .tell("syncPeriod", AT_ONCE)
                  .tell("minSyncPeriod", AT_ONCE))
          .use(
              "nftables",
              Shape.object()
                  .use("masqueradeAll")
                  .tell("masqueradeBit", NO_MARK)
                  .tell("syncPeriod", AT_ONCE)
                  .tell("minSyncPeriod", AT_ONCE))
          .use(
              "ipvs",
              Shape.object()
                  .tell("scheduler", NO_IPVS)
                  .tell("excludeCIDRs", NO_IPVS)
                  .tell(
                      "strictARP", "no device carries Services' addresses, so none is answered for")
                  .tell("tcpTimeout", NO_IPVS)
                  .tell("tcpFinTimeout", NO_IPVS)
                  .tell("udpTimeout", NO_IPVS)
                  .tell("syncPeriod", AT_ONCE)
                  .tell("minSyncPeriod", AT_ONCE))
          .use(
              "conntrack",
              Shape.object()
                  .use("maxPerCore", "min", "tcpEstablishedTimeout", "tcpCloseWaitTimeout")
                  .use("tcpBeLiberal", "udpTimeout", "udpStreamTimeout"))
          .use(
              "detectLocal",
              Shape.object().tell("bridgeInterface", LOCAL).tell("interfaceNamePrefix", LOCAL))
          .tell("featureGates", "Sund has no gates of these names")
          .tell("clientConnection", "the agent reaches the API server as --kubeconfig says")
          .tell("logging", OWN_WAY)
          .tell("hostnameOverride", "--node names the node")
          .tell("bindAddressHardFail", "an address that is taken is said and tried again")
          .tell("enableProfiling", "the agent has no profiles to show")
          .tell("showHiddenMetricsForVersion", "no metric is hidden")
          .tell("oomScoreAdj", "who starts the agent sets it")
          .tell("configSyncPeriod", "the API server is watched, and nothing asked again and again")
          .tell("portRange", "kube-proxy itself has no use for it any more")
          .tell("udpIdleTimeout", "kube-proxy itself has no use for it any more")
          .tell("resourceContainer", "kube-proxy itself has no use for it any more")
          .tell("windowsRunAsService", LINUX)
          .tell("winkernel", LINUX);

  /** Values that leave the default. */
  private static final Set<String> ZEROS = Set.of("", "0", "0s", "0.0");

  private ProxyFields() {}

  /** The tree without values that leave a default; empty when nothing stays. */
  static Optional<Tree> said(Tree tree) {
    return switch (tree) {
      case Tree.Scalar scalar ->
          scalar.kind() == Tree.Kind.NULL
                  || (scalar.kind() == Tree.Kind.BOOLEAN && !scalar.truth())
                  || ZEROS.contains(scalar.text())
              ? Optional.empty()
              : Optional.of(scalar);
      case Tree.Sequence sequence -> {
        List<Tree> kept = sequence.items().stream().flatMap(item -> said(item).stream()).toList();
        yield kept.isEmpty()
            ? Optional.empty()
            : Optional.of(new Tree.Sequence(kept, sequence.line(), sequence.column()));
      }
      case Tree.Mapping mapping -> {
        Map<String, Tree> kept = new LinkedHashMap<>();
        mapping
            .fields()
            .forEach((key, value) -> said(value).ifPresent(found -> kept.put(key, found)));
        yield kept.isEmpty()
            ? Optional.empty()
            : Optional.of(new Tree.Mapping(kept, mapping.line(), mapping.column()));
      }
    };
  }
}
