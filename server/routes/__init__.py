"""The routes by what they serve: chat, library (models, search, articles), pages."""
