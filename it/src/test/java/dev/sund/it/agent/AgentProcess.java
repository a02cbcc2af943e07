package dev.sund.it.agent;

import dev.sund.agent.AgentMain;
import dev.sund.agent.AgentOptions;
import dev.sund.agent.cni.CniFiles;
import dev.sund.agent.log.LogLevel;
import dev.sund.engine.FabricServices;
import dev.sund.engine.FabricSettings;
import dev.sund.engine.ipam.AddressSettings;
import dev.sund.engine.ipam.AddressSettings.Mode;
import dev.sund.kube.api.ApiServer;
import dev.sund.model.NodeName;
import java.nio.file.Path;
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

  private AgentProcess() {}

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
    System.exit(AgentMain.run(options, _ -> {}));
  }
}
