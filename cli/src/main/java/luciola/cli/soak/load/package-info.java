/**
 * A load that proves what it reads. Writers put blocks into files that say of themselves which
 * block they are and which write made them; a {@link luciola.cli.soak.load.BlockRegister} knows for
 * each block which writes were acknowledged and which are on their way; readers compare. It decides
 * what a file system may answer and nothing else: it starts no server and hurts none, and it knows
 * the file system by its interface only. Start with {@link luciola.cli.soak.load.VerifyingLoad}.
 */
@NullMarked
package luciola.cli.soak.load;

import org.jspecify.annotations.NullMarked;
