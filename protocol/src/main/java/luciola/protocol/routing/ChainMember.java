package luciola.protocol.routing;

import luciola.protocol.id.TargetId;

/** One replica's place in a chain. */
public record ChainMember(TargetId target, PublicState state) {}
