package dev.sund.it.agent;

import dev.sund.agent.AgentMain;
import dev.sund.agent.AgentOptions;
import dev.sund.agent.Watching;
import dev.sund.agent.checks.CheckOptions;
import dev.sund.agent.cni.CniFiles;
import dev.sund.agent.log.LogLevel;
import dev.sund.agent.peers.PeerLimits;
import dev.sund.agent.peers.PeerOptions;
import dev.sund.engine.FabricServices;
import dev.sund.engine.FabricSettings;
import dev.sund.engine.ipam.AddressSettings;
import dev.sund.engine.ipam.AddressSettings.Mode;
import dev.sund.kube.api.ApiServer;
import dev.sund.model.NodeName;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * A process that is one agent: {@code KUBECONFIG NODE RUN_DIR STATE_DIR HTTP IPAM_MODE
 * [CNI_CONF_DIR CNI_BIN_DIR PLUGIN]}.
 */
public final class AgentProcess {
  /** The system property that says whether it serves Services; it does unless that is false. */
  public static final String SERVICES = "sund.scene.services";

  /** The system property that names a file with a KubeProxyConfiguration; none by itself. */
  public static final String PROXY_CONFIG = "sund.scene.proxyConfig";

  /** The system property that says where the API server listens, as {@code --api-server} does. */
  public static final String API_SERVER = "sund.scene.apiServer";

  /** The system property that names a file with a Fabric, which is followed; none by itself. */
  public static final String FABRIC = "sund.scene.fabric";

  /**
   * The system property with seconds between runs of the doctor's checks, and milliseconds between
   * datagrams to a peer, such as {@code 1,50}; {@code 0,0}: neither, and no port. A third word is
   * where the node's file systems are.
   */
  public static final String WATCHING = "sund.scene.watching";

  private AgentProcess() {}

  private static Watching watching(String text) {
    String[] words = text.split(",");
    long millis = Long.parseLong(words[1]);
    return new Watching(
        new CheckOptions(
            Duration.ofSeconds(Long.parseLong(words[0])),
            Path.of(words.length > 2 ? words[2] : "/")),
        millis == 0
            ? PeerOptions.OFF
            : new PeerOptions(
                PeerOptions.DEFAULT_PORT,
                PeerOptions.DEFAULT_MOST,
                Duration.ofMillis(millis),
                PeerLimits.DEFAULT));
  }

  /** Runs until a signal ends it. */
  public static void main(String[] args) throws Exception {
    Mode mode = Mode.valueOf(args[5]);
    AgentOptions options =
        new AgentOptions(
            Path.of(args[0]),
            new NodeName(args[1]),
            Path.of(args[2]),
            Path.of(args[3]),
            AgentOptions.parseHttp(args[4]),
            Optional.empty(),
            LogLevel.DEBUG,
            FabricSettings.DEFAULT
                .with(new AddressSettings(mode, List.of()))
                .with(
                    new FabricServices(
                        Optional.of(!"false".equals(System.getProperty(SERVICES))),
                        Optional.empty(),
                        Optional.empty())),
            Optional.ofNullable(System.getProperty(API_SERVER)).stream()
                .map(ApiServer.Endpoint::parse)
                .toList());
    if (args.length > 6) {
      options = options.withCni(new CniFiles(Path.of(args[6]), Path.of(args[7]), Path.of(args[8])));
    }
    String proxyConfig = System.getProperty(PROXY_CONFIG);
    if (proxyConfig != null) {
      options = options.withProxyConfig(Path.of(proxyConfig));
    }
    String fabric = System.getProperty(FABRIC);
    if (fabric != null) {
      options = options.withFabricFile(Path.of(fabric));
    }
    String watching = System.getProperty(WATCHING);
    if (watching != null) {
      options = options.withWatching(watching(watching));
    }
    System.exit(AgentMain.run(options, _ -> {}));
  }
}
