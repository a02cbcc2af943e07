package dev.sund.agent;

import dev.sund.agent.cni.CniFiles;
import dev.sund.agent.log.LogLevel;
import dev.sund.engine.FabricSettings;
import dev.sund.kube.api.ApiServer;
import dev.sund.model.NodeName;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What an agent is told when it starts.
 *
 * @param kubeconfig how to reach the API server: a kubeconfig file, or a service account's folder
 * @param node this node's name in the cluster
 * @param runDir where the socket {@code agent.sock} is made
 * @param stateDir what survives a restart of the agent
 * @param http where {@code /healthz}, {@code /readyz} and {@code /metrics} listen
 * @param netns the node's network namespace; empty for the process's own
 * @param log the first level of the log
 * @param fabric what is set for the fabric as a whole
 * @param apiServers where the API servers listen, the preferred first; none: where the kubeconfig
 *     says
 * @param cni what is written for the container runtime when the agent is ready; empty for nothing
 * @param bootId what tells this boot of the machine from others; empty: what the kernel says
 * @param flannelEnv where flannel's {@code subnet.env} is written for those who read it; empty for
 *     nowhere
 * @param proxyConfig a file with a KubeProxyConfiguration that counts before the cluster's
 * @param fabricFile the file that {@code fabric} was read from, which is followed; empty when it
 *     was set otherwise
 * @param watching what it looks at beside its own work
 */
public record AgentOptions(
    Path kubeconfig,
    NodeName node,
    Path runDir,
    Path stateDir,
    InetSocketAddress http,
    Optional<Path> netns,
    LogLevel log,
    FabricSettings fabric,
    List<ApiServer.Endpoint> apiServers,
    Optional<CniFiles> cni,
    Optional<String> bootId,
    Optional<Path> flannelEnv,
    Optional<Path> proxyConfig,
    Optional<Path> fabricFile,
    Watching watching) {
  public AgentOptions {
    apiServers = List.copyOf(apiServers);
  }

  /** That writes nothing for a container runtime. */
  public AgentOptions(
      Path kubeconfig,
      NodeName node,
      Path runDir,
      Path stateDir,
      InetSocketAddress http,
      Optional<Path> netns,
      LogLevel log,
      FabricSettings fabric,
      List<ApiServer.Endpoint> apiServers) {
    this(
        kubeconfig,
        node,
        runDir,
        stateDir,
        http,
        netns,
        log,
        fabric,
        apiServers,
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Watching.DEFAULT);
  }

  /** These, with files for the container runtime. */
  public AgentOptions withCni(CniFiles files) {
    return with(Optional.of(files), bootId, flannelEnv, proxyConfig, fabricFile, watching);
  }

  /** These, in a boot of the machine that the kernel does not tell from others. */
  public AgentOptions withBootId(String other) {
    return with(cni, Optional.of(other), flannelEnv, proxyConfig, fabricFile, watching);
  }

  /** These, with flannel's file for those who read it. */
  public AgentOptions withFlannelEnv(Path file) {
    return with(cni, bootId, Optional.of(file), proxyConfig, fabricFile, watching);
  }

  /** These, with a file that says how Services are served. */
  public AgentOptions withProxyConfig(Path file) {
    return with(cni, bootId, flannelEnv, Optional.of(file), fabricFile, watching);
  }

  /** These, with the file that the fabric was read from. */
  public AgentOptions withFabricFile(Path file) {
    return with(cni, bootId, flannelEnv, proxyConfig, Optional.of(file), watching);
  }

  /** These, with other things to look at. */
  public AgentOptions withWatching(Watching other) {
    return with(cni, bootId, flannelEnv, proxyConfig, fabricFile, other);
  }

  private AgentOptions with(
      Optional<CniFiles> otherCni,
      Optional<String> otherBootId,
      Optional<Path> otherFlannelEnv,
      Optional<Path> otherProxyConfig,
      Optional<Path> otherFabricFile,
      Watching otherWatching) {
    return new AgentOptions(
        kubeconfig,
        node,
        runDir,
        stateDir,
        http,
        netns,
        log,
        fabric,
        apiServers,
        otherCni,
        otherBootId,
        otherFlannelEnv,
        otherProxyConfig,
        otherFabricFile,
        otherWatching);
  }

  /** With the API server that the kubeconfig names. */
  public AgentOptions(
      Path kubeconfig,
      NodeName node,
      Path runDir,
      Path stateDir,
      InetSocketAddress http,
      Optional<Path> netns,
      LogLevel log,
      FabricSettings fabric) {
    this(kubeconfig, node, runDir, stateDir, http, netns, log, fabric, List.of());
  }

  /** Of a fabric for which nothing is set. */
  public AgentOptions(
      Path kubeconfig,
      NodeName node,
      Path runDir,
      Path stateDir,
      InetSocketAddress http,
      Optional<Path> netns,
      LogLevel log) {
    this(kubeconfig, node, runDir, stateDir, http, netns, log, FabricSettings.DEFAULT);
  }

  /** Where the socket is unless told otherwise. */
  public static final Path DEFAULT_RUN_DIR = Path.of("/run/sund");

  /** Where the state is unless told otherwise. */
  public static final Path DEFAULT_STATE_DIR = Path.of("/var/lib/sund");

  /** Where the pages listen unless told otherwise. */
  public static final String DEFAULT_HTTP = "127.0.0.1:9470";

  /**
   * Parses {@code HOST:PORT} or {@code [IPv6]:PORT}.
   *
   * @throws IllegalArgumentException naming the text
   */
  public static InetSocketAddress parseHttp(String text) {
    int colon = text.lastIndexOf(':');
    if (colon > 0 && text.substring(colon + 1).matches("[0-9]{1,5}")) {
      int port = Integer.parseInt(text.substring(colon + 1));
      String host = text.substring(0, colon);
      boolean bracketed = host.startsWith("[") && host.endsWith("]");
      if (bracketed) {
        host = host.substring(1, host.length() - 1);
      }
      if (port <= 65535 && !host.isEmpty() && (bracketed || host.indexOf(':') < 0)) {
        InetSocketAddress address = new InetSocketAddress(host, port);
        if (!address.isUnresolved()) {
          return address;
        }
      }
    }
    throw new IllegalArgumentException(
        "'" + text + "' is not HOST:PORT, such as " + DEFAULT_HTTP + " or [::1]:9470");
  }
}
