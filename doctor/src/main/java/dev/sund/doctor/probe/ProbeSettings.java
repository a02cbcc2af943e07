package dev.sund.doctor.probe;

import dev.sund.kernel.socket.Endpoint;
import dev.sund.model.Ip;
import java.time.Duration;
import java.util.List;

/**
 * What is to be measured.
 *
 * @param peer the answerer's address and port
 * @param window how long echoes are sent
 * @param limits from where on a way is slow or lossy
 * @param podSources addresses of pods of this node, at most one of each family
 */
public record ProbeSettings(Endpoint peer, Duration window, Limits limits, List<Ip> podSources) {}
